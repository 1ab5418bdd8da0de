"""What the routes depend on: the server's services, and a key with the right scope."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Request, Security
from fastapi.security import HTTPBearer

from versioner_ci.server import keys
from versioner_ci.server.access import Caller
from versioner_ci.server.services import Services

BEARER = HTTPBearer(auto_error=False, scheme_name="key", description="An API key of this tracker: sk_…")


def _services(request: Request) -> Services:
    found: Services = request.app.state.services
    return found


ServicesOf = Annotated[Services, Depends(_services)]


def _needs(scope: str) -> Any:
    def check(request: Request, services: ServicesOf, _: Annotated[object, Security(BEARER)]) -> Caller:
        return services.access.check(request.headers.get("authorization"), scope)

    return Depends(check)


READER, WRITER, ADMIN = _needs(keys.READ), _needs(keys.WRITE), _needs(keys.ADMIN)
