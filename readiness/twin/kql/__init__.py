"""The subset of the Kusto query language that inventories are written in.

`parse` turns text into a `Query`, which turns rows into rows. Understood are the operators `where`,
`project`, `project-away`, `extend`, `order by`, `limit`, `top`, `count`, `distinct` and `summarize` with
`count()`, `min` and `max`; the comparisons of text with and without case; and a dozen scalar functions.
Anything else is a `QueryError` that names it: a query is never half understood.
"""

from readiness.twin.kql.lexer import QueryError
from readiness.twin.kql.query import Query, Result, parse

__all__ = ["Query", "QueryError", "Result", "parse"]
