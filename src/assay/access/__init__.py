"""Who may ask, and how much: keys with their scopes, rates, and whose address a request comes from.

It knows nothing of HTTP; the service asks it.
"""

from assay.access.access import Access, open_access
from assay.access.addresses import client_address, counted_address, is_trusted
from assay.access.callers import Authenticator, Caller
from assay.access.counting import Counting, LocalCounting, MachineCounting
from assay.access.gcra import Verdict, take
from assay.access.key import SCOPES, Key
from assay.access.keybook import GRACE, KeyBook, NewKey
from assay.access.keys import Keys
from assay.access.policy import Policy, check_start, decide_policy
from assay.access.rates import Rate, parse_rate
from assay.access.replicated import RedisCounting
from assay.access.shared import SharedCounting, shared_file

__all__ = [
    "GRACE",
    "SCOPES",
    "Access",
    "Authenticator",
    "Caller",
    "Counting",
    "Key",
    "KeyBook",
    "Keys",
    "LocalCounting",
    "MachineCounting",
    "NewKey",
    "Policy",
    "Rate",
    "RedisCounting",
    "SharedCounting",
    "Verdict",
    "check_start",
    "client_address",
    "counted_address",
    "decide_policy",
    "is_trusted",
    "open_access",
    "parse_rate",
    "shared_file",
    "take",
]
