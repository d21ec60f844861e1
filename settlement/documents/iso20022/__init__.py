"""ISO 20022 messages: statements, notifications, status reports, payments, remittance.

Takes plain values and gives bytes, or the other way round. Knows no database and no state of ours.
Everything that is heavy is imported only when a message is made.
"""
