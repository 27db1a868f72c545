"""How an endpoint gets its person: the API answers nobody who is not signed in."""

from __future__ import annotations

from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.views import APIView

from plaquelab.accounts.models import User


class PersonRequest(Request):
    """The request of somebody who is signed in; :class:`PersonView` sees to it."""

    user: User


class PersonView(APIView):
    """Base of every endpoint."""

    permission_classes = (IsAuthenticated,)
