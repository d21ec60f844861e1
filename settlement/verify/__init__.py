"""The checker: a process of its own that judges database and chain against the invariants.

Imports nothing of the rest: its SQL, its JSON-RPC, its decoding, its hashes and its tables of
states are its own, so that a mistake made there is not made again here. It writes nothing.

    words      the rail's and the token's words on the wire, the reference, keccak
    rpc        JSON-RPC in batches, or by calls in this process
    database   the database, read-only, at one moment
    node       what the node says: blocks, logs, our signers' chain transactions, balances
    scene      both sides brought together, and the block at which they are judged
    findings   one check's answer: held, violated or not judged, with its evidence
    payments, books, journal, sending, clearances, claims, kept, moves: the checks
    judging    all checks in their order, and the checker as one function: `violations`
    report     the answer as text and as JSON
"""
