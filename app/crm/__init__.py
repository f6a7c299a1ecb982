"""The systems that answers are pushed to: for each vendor a file that ends with its `CrmKind`.

`chosen_destinations` reads the operator's file against a table of kinds, and gives each destination ready to connect.
"""

from app.crm.file import chosen_destinations, read_destinations
from app.crm.kinds import ConfiguredCrm, CrmKind, CrmKinds
from app.crm.options import Options

__all__ = [
    "ConfiguredCrm",
    "CrmKind",
    "CrmKinds",
    "Options",
    "chosen_destinations",
    "read_destinations",
]
