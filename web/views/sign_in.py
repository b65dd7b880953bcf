"""The door."""

from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.http import HttpResponse, JsonResponse
from django.middleware.csrf import get_token


class SignIn(LoginView):
    """E-mail and password. An unknown address and a wrong password get the same answer.

    A page whose session ended signs in again in place. It asks with `HX-Request` and gets who
    signed in and the new form token, as JSON: `{"user": id, "token": text}`.
    """

    template_name = "registration/sign_in.html"

    @property
    def redirect_authenticated_user(self) -> bool:  # type: ignore[override]
        return not self._in_place

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        response = super().form_valid(form)
        if not self._in_place:
            return response
        return JsonResponse({"user": str(form.get_user().pk), "token": get_token(self.request)})

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=422)

    @property
    def _in_place(self) -> bool:
        return self.request.headers.get("HX-Request") == "true"
