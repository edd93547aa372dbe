"""Pages about the models that answer, for admins."""

from django.urls import path

from providers import views

urlpatterns = [
    path("providers/", views.providers, name="providers"),
    path("providers/new/", views.provider_new, name="provider-new"),
    path("providers/<uuid:provider_id>/", views.provider_edit, name="provider-edit"),
    path("providers/<uuid:provider_id>/delete/", views.provider_delete, name="provider-delete"),
    path("providers/<uuid:provider_id>/test/", views.provider_test, name="provider-test"),
    path("providers/<uuid:provider_id>/default/", views.provider_default, name="provider-default"),
    path("providers/<uuid:provider_id>/disable/", views.provider_disable, name="provider-disable"),
    path("providers/<uuid:provider_id>/enable/", views.provider_enable, name="provider-enable"),
]
