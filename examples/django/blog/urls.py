"""Where what is."""

from comments import views
from django.urls import path

urlpatterns = [
    path("comments", views.comments),
    path("comments/<int:comment_id>", views.comment),
]
