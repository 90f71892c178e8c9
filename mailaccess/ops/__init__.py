"""What the operator sees and sets: structured logs and limits.

``addresses``  which network an address belongs to, for whatever is counted by address
``limits``     every limit, with its unit and its reason
``logs``       one structured line for each event
``transport``  the few private corners of Twisted's transports that we touch, in one place
``services``   services by the names that operators write for ports
``outflow``    output as fast as the client takes it
"""
