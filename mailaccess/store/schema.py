"""The tables of an account's index. It is a cache: another version, or damage, means that it is made anew."""

VERSION = 5

APPLICATION_ID = 0x6D616363  # "macc"

TABLES = """
CREATE TABLE IF NOT EXISTS mailboxes (
    id INTEGER PRIMARY KEY,             -- random: an index that was made anew has none of the old ones
    guid TEXT NOT NULL UNIQUE,          -- of dovecot-uidlist: a rename does not change it
    directory TEXT NOT NULL,            -- where the folder with this GUID was seen last, percent-encoded
    validity INTEGER NOT NULL,
    highest_modseq INTEGER NOT NULL,
    recent INTEGER NOT NULL DEFAULT 1   -- the lowest UID that no session was told of as recent
) STRICT;
CREATE TABLE IF NOT EXISTS messages (
    mailbox INTEGER NOT NULL,
    uid INTEGER NOT NULL,
    modseq INTEGER NOT NULL,
    flags TEXT NOT NULL,                -- separated by spaces
    size INTEGER NOT NULL,              -- on the wire; -1: not measured
    date INTEGER NOT NULL,              -- INTERNALDATE, seconds since the epoch; -1: not looked up
    PRIMARY KEY (mailbox, uid)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS structures (
    mailbox INTEGER NOT NULL,
    uid INTEGER NOT NULL,
    envelope BLOB NOT NULL,             -- as on the wire
    body BLOB NOT NULL,                 -- BODYSTRUCTURE as on the wire
    PRIMARY KEY (mailbox, uid)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS fields (
    mailbox INTEGER NOT NULL,
    uid INTEGER NOT NULL,
    fields BLOB NOT NULL,               -- frequent header fields and the empty line, as on the wire
    PRIMARY KEY (mailbox, uid)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS expunged (   -- what the UID list may still have lines of: no more than a third of its lines
    mailbox INTEGER NOT NULL,
    uid INTEGER NOT NULL,
    PRIMARY KEY (mailbox, uid)
) STRICT, WITHOUT ROWID;
"""
