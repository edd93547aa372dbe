"""The frame in which diagrams of answers and documents are drawn.

A diagram's text comes from a model or a repository, and what draws it is three megabytes of other
people's code. So it runs where there is nothing: no origin, no cookies, no network, no way out. The
page gives it a text and is told how high the drawing is.
"""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_GET

SCRIPTS = ("vendor/mermaid.min.js", "js/frames/diagram.js")


@login_not_required
@require_GET
@xframe_options_sameorigin
def diagram_frame(request: HttpRequest) -> HttpResponse:
    scripts = [request.build_absolute_uri(static(path)) for path in SCRIPTS]
    response = render(request, "portal/diagram_frame.html", {"scripts": scripts})
    # The frame has no origin, so that 'self' would be nobody; what draws writes styles into it.
    response["Content-Security-Policy"] = "; ".join(
        (
            "default-src 'none'",
            f"script-src {' '.join(scripts)}",
            "style-src 'unsafe-inline'",
            "frame-ancestors 'self'",
            "sandbox allow-scripts",
        )
    )
    return response
