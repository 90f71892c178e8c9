"""What each command does, one small module for a verb or a family of verbs (RFC 9051 §6).

A command is ``async def verb(context, arguments) -> Reply``: it writes its untagged responses and returns its tagged
one. Refusals are raised as ``ClientError``; ``dispatch`` says in which states a verb is allowed and how its arguments
are read.

* any state: ``capability`` · ``noop`` (NOOP, CHECK) · ``logout`` · ``identify`` (ID)
* before login: ``starttls`` · ``login`` · ``authenticate``
* mailboxes: ``enable`` · ``namespace`` · ``select`` (SELECT, EXAMINE) · ``create`` (CREATE, DELETE, RENAME) ·
  ``subscribe`` · ``listing`` (LIST, LSUB) · ``status`` · ``append`` · ``idle``
* the selected mailbox: ``close`` (CLOSE, UNSELECT) · ``expunge`` · ``search`` · ``fetch`` · ``store`` ·
  ``copy`` (COPY, MOVE)
* ``columns`` · ``contents``: what FETCH tells without opening a message, and what it must open one for
* ``changes``: what is told of the selected mailbox unasked
"""
