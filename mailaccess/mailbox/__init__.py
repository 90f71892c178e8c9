"""What a mailbox is. Pure: no Twisted, no disk.

* ``names``: what a mailbox may be called, and the patterns of LIST.
* ``listing``: what LIST and LSUB answer.
* ``shared``: an open mailbox, one for all sessions of a process: packed columns, kept up to date.
* ``view``: what one session knows of it; sequence numbers exist only here.
* ``account``: one user's mailboxes, and the rules for making, naming and removing them.
* ``criteria``: what SEARCH may ask for, as values.
* ``columns``: criteria that need no message to be opened, over whole columns at once.
* ``contents``: criteria that need a message's octets.
* ``search``: which messages meet a program of criteria, the cheap ones first.
"""
