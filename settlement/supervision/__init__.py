"""What the overseer sees and is sent: views, scheduled reports, and the deadlines of those to file.

Reads every room; changes nothing but its own reports and the breaks of their deadlines.
"""
