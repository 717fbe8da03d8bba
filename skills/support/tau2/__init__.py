"""tau2-bench's retail domain: its database and tools, as an environment to replay its tasks in.

    instructrec replay TASKS --mode free --environment skills.support.tau2.environment:environment

The data are not part of this project: `INSTRUCTREC_DATA` names the folder that
holds `tau2/retail`.
"""

from skills.support.tau2.database import Database, load
from skills.support.tau2.environment import RetailEnvironment, environment
from skills.support.tau2.retail import TOOLS, Retail

__all__ = ["TOOLS", "Database", "Retail", "RetailEnvironment", "environment", "load"]
