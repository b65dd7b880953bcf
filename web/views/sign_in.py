"""The door."""

from typing import Any

from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import resolve_url
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from accounts.attempts import count_sign_in
from accounts.models import User
from web.attempts import answers_guessing, welcome


@method_decorator(answers_guessing, name="dispatch")
class SignIn(LoginView):
    """E-mail and password. An unknown address and a wrong password get the same answer.

    A page whose session ended signs in again in place. It asks with `HX-Request` and gets who
    signed in and the new form token, as JSON: `{"user": id, "token": text}`.
    """

    template_name = "registration/sign_in.html"

    @property
    def redirect_authenticated_user(self) -> bool:  # type: ignore[override]
        return not self._in_place

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Raises: TooManyAttemptsError."""
        count_sign_in(request, request.POST.get("username", ""))
        return super().post(request, *args, **kwargs)

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        response = super().form_valid(form)
        user = form.get_user()
        if self._in_place:
            response = JsonResponse({"user": str(user.pk), "token": get_token(self.request)})
        welcome(self.request, response, user)
        return response

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=422)

    @property
    def _in_place(self) -> bool:
        return self.request.headers.get("HX-Request") == "true"


@never_cache
def operators(request: HttpRequest) -> HttpResponse:
    """The administration has no door of its own, so that guessing is counted at one place.

    Raises: PermissionDenied for people who are signed in and no operators.
    """
    wanted = request.GET.get("next") or reverse("admin:index")
    if isinstance(request.user, User) and not request.user.is_staff:
        raise PermissionDenied(_("Only operators may use the administration."))
    return redirect_to_login(wanted, login_url=resolve_url(settings.LOGIN_URL))
