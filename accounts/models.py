"""People, the keys of their programs, and the record of what was done."""

import hashlib
import secrets
import uuid
from datetime import timedelta
from typing import Any, ClassVar, Self

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MinLengthValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Length, Lower
from django.db.models.lookups import GreaterThanOrEqual
from django.utils import timezone


class Dated(models.Model):
    """A row that knows its id and when it came and changed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True


class UserManager(BaseUserManager["User"]):
    """Finds people who have not been deleted; a deleted one can be reached through `everyone`."""

    def get_queryset(self) -> models.QuerySet["User"]:
        return super().get_queryset().filter(deleted_at__isnull=True)

    def create_user(self, username: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(username=username, **fields)
        user.set_password(password)
        user.full_clean(exclude=["password"])
        user.save(using=self._db)
        return user

    def create_superuser(self, username: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(username, password, **{"role": User.Role.ADMIN, **fields})


class User(AbstractBaseUser, Dated):
    class Role(models.TextChoices):
        ADMIN = "admin"
        USER = "user"

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    username = models.CharField(
        max_length=50,
        unique=True,
        validators=[
            MinLengthValidator(2),
            RegexValidator(r"\A[\w.@+-]+\Z", "Use letters, digits and . @ + - _ only."),
        ],
        error_messages={"unique": "This name is taken."},
    )
    email = models.EmailField(blank=True, default="")
    name = models.CharField(max_length=255, blank=True, default="")
    role = models.CharField(max_length=10, choices=Role, default=Role.USER)
    github_id = models.BigIntegerField(null=True, blank=True, unique=True)
    is_active = models.BooleanField(default=True)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects: ClassVar[UserManager] = UserManager()
    everyone: ClassVar[models.Manager["User"]] = models.Manager()

    class Meta:
        base_manager_name = "everyone"
        constraints = [
            models.UniqueConstraint(
                Lower("email"),
                condition=~Q(email=""),
                name="email_is_unique_ignoring_case",
                violation_error_message="Somebody uses this email address already.",
            ),
            models.UniqueConstraint(Lower("username"), name="username_is_unique_ignoring_case"),
            models.CheckConstraint(
                condition=GreaterThanOrEqual(Length("username"), 2),
                name="username_has_two_characters",
            ),
        ]
        indexes = [models.Index(fields=["created_at"], name="users_by_age")]

    def __str__(self) -> str:
        return self.name or self.username

    def soft_delete(self) -> None:
        self.deleted_at = timezone.now()
        self.is_active = False
        self.save(update_fields=["deleted_at", "is_active", "updated_at"])

    @property
    def is_admin(self) -> bool:
        return self.is_active and self.role == self.Role.ADMIN

    # What Django's admin asks of a user.

    @property
    def is_staff(self) -> bool:
        return self.is_admin

    @property
    def is_superuser(self) -> bool:
        return self.is_admin

    def has_perm(self, perm: str, obj: object = None) -> bool:
        return self.is_admin

    def has_perms(self, perm_list: list[str], obj: object = None) -> bool:
        return self.is_admin

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_admin


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def owned_by(self, user: User) -> Self:
        return self.filter(user=user)

    def usable(self) -> Self:
        """Keys that open the door now: not revoked, not expired, of an active person."""
        return self.filter(
            Q(expires_at__isnull=True) | Q(expires_at__gt=timezone.now()),
            revoked_at__isnull=True,
            user__is_active=True,
            user__deleted_at__isnull=True,
        )


class ApiKey(Dated):
    class Scope(models.TextChoices):
        READ = "read", "Read and search"
        ASK = "ask", "Ask questions"
        WRITE = "write", "Change projects and sources"

    PREFIX = "nightowl_"
    TOUCH_EVERY = timedelta(minutes=1)

    user = models.ForeignKey(User, models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=20, editable=False)
    hash = models.CharField(max_length=64, unique=True, editable=False)
    scopes = ArrayField(models.CharField(max_length=10, choices=Scope))
    # A limited key opens the projects that it is linked to, and nothing once they are gone.
    is_limited = models.BooleanField(default=False, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = ApiKeyQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @classmethod
    def issue(cls, **fields: Any) -> tuple["ApiKey", str]:
        """Return a new key and its text, which is not kept and can't be shown again."""
        text = cls.PREFIX + secrets.token_urlsafe(32)
        prefix = text[: len(cls.PREFIX) + 6]
        return cls.objects.create(prefix=prefix, hash=cls.hash_of(text), **fields), text

    @staticmethod
    def hash_of(text: str) -> str:
        # The key holds 256 random bits, so a fast hash is enough.
        return hashlib.sha256(text.encode()).hexdigest()

    def revoke(self) -> None:
        self.revoked_at = timezone.now()
        self.save(update_fields=["revoked_at", "updated_at"])

    def touch(self) -> None:
        """Note that the key was used, at most once a minute."""
        now = timezone.now()
        if self.last_used_at is None or now - self.last_used_at > self.TOUCH_EVERY:
            ApiKey.objects.filter(pk=self.pk).update(last_used_at=now)


class AuditEntry(models.Model):
    """Who did what to what. The database refuses to change or delete a row."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)
    # Ids and names, not foreign keys: an entry outlives what it speaks of.
    actor_id = models.UUIDField(null=True)
    actor_name = models.CharField(max_length=255)
    action = models.CharField(max_length=50)
    kind = models.CharField(max_length=50)
    object_id = models.UUIDField(null=True)
    object_name = models.CharField(max_length=255)
    project_id = models.UUIDField(null=True, db_index=True)
    detail = models.JSONField(default=dict)

    class Meta:
        verbose_name_plural = "audit entries"

    def __str__(self) -> str:
        return f"{self.actor_name} {self.action} {self.kind} {self.object_name}"
