"""Who stands between: proxies on the way out, and those that connections come in by.

``http``     CONNECT (RFC 9110 §9.3.6)      ``socks``    SOCKS 4, 4a and 5 (RFC 1928, RFC 1929)
``via``      which of them, from a URL       ``header``   the PROXY protocol, versions 1 and 2, read and written
``trusted``  whose header is believed
"""
