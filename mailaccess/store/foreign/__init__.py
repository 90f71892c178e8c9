"""The files of other servers, as those servers read and write them.

``dotlock``        the lock that Dovecot takes, which dies with its process here
``uidlist``        ``dovecot-uidlist``: which UID is which file
``keywords``       ``dovecot-keywords``: which letter is which keyword
``uidvalidity``    ``dovecot-uidvalidity``: what the next new folder gets
``subscriptions``  ``subscriptions``, versions 1 and 2
``courier``        Courier's files, read on first contact
"""
