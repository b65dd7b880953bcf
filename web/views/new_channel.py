"""A channel for an agent that is about to be connected."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from inbox.services.channels import create_channel
from web.access import MemberRequest, for_members, require_managing
from web.forms import ChannelForm
from web.redirects import SeeOther
from web.rows import channel_rows


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def new_channel(request: MemberRequest) -> HttpResponse:
    """Ask for a name; 303 to the conversation, which says how to write the first message."""
    require_managing(request)
    form = ChannelForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        made = create_channel(workspace=request.workspace, now=timezone.now(), **form.cleaned_data)
        messages.success(request, _("The channel is there. Now let its agent write."))
        return SeeOther(reverse("web:channel", args=[made.pk]))
    context = {
        "section": "channels",
        "channels": channel_rows(request.workspace),
        "showing_detail": True,
        "form": form,
    }
    return render(request, "inbox/new.html", context, status=422 if form.is_bound else 200)
