"""What Schemathesis is told of the API beside its document."""

from datetime import datetime

import schemathesis
from hypothesis import strategies as st

# JSON Schema has no words for "not before 1970, and not in the future", which the document says in prose.
_past = st.datetimes(datetime(1970, 1, 1), datetime(2026, 1, 1))  # noqa: DTZ001  # the zone follows
schemathesis.openapi.format("date-time", _past.map(lambda at: f"{at.isoformat()}Z"))
