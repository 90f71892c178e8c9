"""Mail on disk: Maildir++ with Dovecot's control files, an index that may be deleted, and the way there and back."""
