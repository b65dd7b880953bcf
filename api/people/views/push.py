"""Notifications in a person's browsers (Placet contract 3.2)."""

from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response

from api.people.documentation import operation
from api.people.serializers.push import SubscribeIn, UnsubscribeIn, VapidKeyOut
from api.people.tokens import notify_with
from api.people.views.base import PersonView, person_of, token_of
from api.placet.errors import InvalidBodyError, fault
from api.placet.views.base import read_body
from delivery.push.keys import live_key
from delivery.push.labels import label_of
from delivery.push.subscriptions import (
    Offer,
    SubscriptionRefusedError,
    TooManyDevicesError,
    devices_of,
    endpoint_hash,
    subscribe,
)


class TooManySubscriptionsError(APIException):
    status_code = 409
    default_code = "too_many_devices"


class VapidKey(PersonView):
    @operation("getPushKey", tag="Push", answers={200: VapidKeyOut}, errors=[403])
    def get(self, request: Request) -> Response:
        """The key that browsers subscribe to."""
        return Response({"publicKey": live_key().public_key})


class Subscriptions(PersonView):
    @operation(
        "subscribePush",
        tag="Push",
        body=SubscribeIn,
        answers={204: OpenApiResponse(description="Subscribed. The body is empty.")},
        errors=[403, 409],
    )
    def post(self, request: Request) -> Response:
        """Notify you in a browser until you sign out; somebody else's becomes yours."""
        body = read_body(request, SubscribeIn)
        offer = Offer(body.endpoint, body.keys.p256dh, body.keys.auth)
        label = label_of(request.headers.get("User-Agent", ""))
        try:
            device = subscribe(person_of(request), offer=offer, label=label, now=timezone.now())
        except TooManyDevicesError as refusal:
            raise TooManySubscriptionsError(str(refusal)) from None
        except SubscriptionRefusedError as refusal:
            raise InvalidBodyError(fault("subscription_refused", str(refusal))) from None
        notify_with(token_of(request), device)
        return Response(status=204)

    @operation(
        "unsubscribePush",
        tag="Push",
        body=UnsubscribeIn,
        answers={204: OpenApiResponse(description="Not subscribed any more. The body is empty.")},
        errors=[403],
    )
    def delete(self, request: Request) -> Response:
        """Notify you there no more. Where nobody notified you, nothing happens."""
        hashed = endpoint_hash(read_body(request, UnsubscribeIn).endpoint)
        devices_of(person_of(request)).filter(endpoint_sha256=hashed).delete()
        return Response(status=204)
