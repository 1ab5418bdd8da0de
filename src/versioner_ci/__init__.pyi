from versioner_ci.errors import RejectedError as RejectedError
from versioner_ci.errors import UsageError as UsageError
from versioner_ci.errors import VersionerError as VersionerError
from versioner_ci.reporter import Reporter as Reporter

__version__: str
