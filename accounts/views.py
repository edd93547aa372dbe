"""Signing in and out, and a person's own page."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login as sign_in
from django.contrib.auth import logout as sign_out
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts.auditing import record
from accounts.forms import LoginForm, PasswordForm, ProfileForm, ThemeForm
from accounts.models import User
from accounts.throttling import CannotCount, TooManyTries, count_try, forget_tries
from accounts.viewers import viewer_of

THEME_COOKIE = "nightowl-theme"
A_YEAR = 365 * 24 * 3600


@login_not_required
@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def login(request: HttpRequest) -> HttpResponse:
    """Let a person in who knows the password, unless somebody has been guessing."""
    if request.user.is_authenticated:
        return redirect(_next_page(request))
    form = LoginForm(request, request.POST or None)
    if request.method != "POST":
        return render(request, "accounts/login.html", {"form": form, "next": _next_page(request)})
    username, address = request.POST.get("username", ""), request.META.get("REMOTE_ADDR", "")
    problem, status = "", 200
    try:
        count_try(username, address)
        if form.is_valid():
            forget_tries(username, address)
            sign_in(request, form.get_user())
            return redirect(_next_page(request))
    except TooManyTries:
        problem, status = "Too many tries. Wait ten minutes, then try again.", 429
    except CannotCount:
        problem, status = "Nobody can sign in just now: Redis does not answer.", 503
    form = form if not problem else LoginForm(request)
    page = {"form": form, "next": _next_page(request), "problem": problem}
    return render(request, "accounts/login.html", page, status=status)


def _next_page(request: HttpRequest) -> str:
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    is_ours = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if is_ours else "/"


@require_POST
def logout(request: HttpRequest) -> HttpResponse:
    sign_out(request)
    return redirect("login")


@sensitive_post_parameters("old_password", "new_password1", "new_password2")
@require_http_methods(["GET", "POST"])
def account(request: HttpRequest) -> HttpResponse:
    """Show a person's page; each of its forms says by `form` which one it is."""
    user = viewer_of(request).user
    sent = request.POST.get("form", "")
    # Re-read: a form that does not hold must not change the name that the frame shows.
    person = User.objects.get(pk=user.pk)
    profile = ProfileForm(request.POST if sent == "profile" else None, instance=person)
    password = PasswordForm(user, request.POST if sent == "password" else None)
    theme = ThemeForm(
        request.POST if sent == "theme" else None,
        initial={"theme": request.COOKIES.get(THEME_COOKIE, "")},
    )
    if sent == "profile" and profile.is_valid():
        profile.save()
        record(user, "changed", user)
        return _saved(request, "Saved.")
    if sent == "password" and password.is_valid():
        update_session_auth_hash(request, password.save())
        record(user, "changed the password of", user)
        return _saved(request, "Your password was changed. Other browsers are signed out.")
    if sent == "theme" and theme.is_valid():
        return _with_theme(_saved(request, ""), theme.cleaned_data["theme"])
    forms = {"profile": profile, "password": password, "theme_form": theme}
    return render(request, "accounts/account.html", forms, status=400 if sent else 200)


def _saved(request: HttpRequest, sentence: str) -> HttpResponse:
    if sentence:
        messages.success(request, sentence)
    return redirect("account")


def _with_theme(response: HttpResponse, theme: str) -> HttpResponse:
    if theme:
        secure = settings.SESSION_COOKIE_SECURE
        response.set_cookie(THEME_COOKIE, theme, A_YEAR, secure=secure, samesite="Lax")
    else:
        response.delete_cookie(THEME_COOKIE)
    return response
