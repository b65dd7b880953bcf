"""People's routes below `/api/`, all of them."""

from django.urls import path

from api.people.views import auth

app_name = "people"

urlpatterns = [
    path("auth/login", auth.SignIn.as_view(), name="login"),
    path("auth/refresh", auth.Renew.as_view(), name="refresh"),
    path("auth/me", auth.Me.as_view(), name="me"),
    path("auth/change-password", auth.ChangePassword.as_view(), name="change-password"),
    path("auth/logout", auth.SignOut.as_view(), name="logout"),
    path("auth/ws-ticket", auth.SocketTicket.as_view(), name="ws-ticket"),
]
