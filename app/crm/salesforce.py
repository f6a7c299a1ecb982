"""Salesforce: a task on the contact or the case, or a record of the operator's own object; fields of the contact.

simple-salesforce signs in, quotes and describes; over our own HTTP, since it sets no time-outs and forgets Retry-After.
"""

from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec

from app.crm.kinds import CrmKind
from app.crm.salesforce_options import SalesforceOptions
from app.errors import StartError
from app.ports import Crm
from app.web import GuardedHttp


def connect(options: SalesforceOptions, outgoing: GuardedHttp) -> Crm:
    """The org, signed in to when it is first needed. Raises `StartError` where the library is not installed."""
    if find_spec("simple_salesforce") is None:
        raise StartError("the connector salesforce needs a library: make crm, or pip install 'zeroten[crm]'")
    from app.crm.salesforce_login import Login  # noqa: PLC0415 - an extra
    from app.crm.salesforce_records import Salesforce  # noqa: PLC0415 - the same

    threads = ThreadPoolExecutor(options.at_once, thread_name_prefix="salesforce")
    return Salesforce(Login(outgoing, options, threads), options)


KIND = CrmKind(SalesforceOptions, connect)
