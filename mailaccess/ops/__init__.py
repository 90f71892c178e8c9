"""What the operator sees and sets: structured logs and limits.

``limits``     every limit, with its unit and its reason
``logs``       one structured line for each event
``transport``  the few private corners of Twisted's transports that we touch, in one place
"""
