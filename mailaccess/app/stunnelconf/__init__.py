"""Reads an stunnel.conf: what it says becomes tunnels of ours, and what it asks for in vain is named with its line.

``conf``          ``read``: the way from a file to tunnels; start here
``lines``         the format of the file: sections of ``option = value``, and files that it includes
``options``       the table of all options of stunnel (5.76): what becomes of each; docs/stunnel.md is written from it
``openssl``       the values of ``options`` and ``socket``: which of them ask for what is so anyway
``report``        what is refused, ignored and worth a notice
``section``       the options in force in a section, and their values as yes, no and seconds
``addresses``     ``accept`` and ``connect`` as we write them
``verification``  ``verifyChain`` and its like
``protocols``     ``protocol`` and its like
``tls``           certificates, versions, ciphers, keys that are shared beforehand
``translate``     a section as a table of ours
``origins``       where a key of a tunnel comes from, for messages
``routes``        sections that serve host names of another one (``sni = SERVICE:NAME``)

A file that cannot be done justice is refused as a whole: the one line names the first option that is in the way, and
the places of all others.
"""
