"""Where a form leads once it did its work."""

from django.http import HttpResponseRedirect


class SeeOther(HttpResponseRedirect):
    """303: go and look there with a GET, so that a reload never posts again."""

    status_code = 303
