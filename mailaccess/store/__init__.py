"""Mail on disk: Maildir++ with Dovecot's control files, an index that may be deleted, and the way there and back.

From the front ends' side to the disk:

``worker``      the store as they see it: a lane of calls for each account, changes told in the reactor thread
``watch``       hears of what other programs do (inotify)
``account``     one user's folders, subscriptions and special uses
``mailbox``     what can be done to the messages of one folder
``sync``        a folder as the disk has it: files, UID list, keywords and index brought together (the essay is here)
``adoption``    what another server kept for a folder, taken over on first contact
``content``     one message's octets as on the wire
``frequent``    the header fields that the index keeps
``folders``     Maildir++ names of folders        ``specialuse``  which mailbox has which use
``maildir``     the files of one folder           ``filenames``   the only place where flags are letters
``foreign``     the files of Dovecot and Courier
``index``       SQLite: what is slow to find out again   ``schema``  its tables   ``modseqs``  MODSEQs that are moments
``locks``       locks that die with their process        ``patience``  how long a call waits for one
``files``       small files, read and replaced whole
``check``       whether an account is in order
``memory``      the same contract without a disk, for tests
"""
