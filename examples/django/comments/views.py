"""Comments as JSON: posted, listed, and looked at one by one."""

import json
from typing import Any

from django.db import transaction
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from comments.models import Comment
from comments.tasks import moderate


@csrf_exempt
@require_http_methods(["GET", "POST"])
def comments(request: HttpRequest) -> JsonResponse:
    """List those that are published, or take a new one."""
    if request.method == "GET":
        published = Comment.objects.filter(state=Comment.State.PUBLISHED).order_by("posted_at")
        return JsonResponse({"comments": [_shown(one) for one in published]})
    try:
        posted = json.loads(request.body)
        author, text = str(posted["author"]), str(posted["text"])
    except (ValueError, KeyError, TypeError):
        return JsonResponse({"error": "a JSON object with author and text is wanted"}, status=400)
    with transaction.atomic():
        made = Comment.objects.create(author=author, text=text)
        # The worker can't look for the comment before it is there, and a rollback leaves no task behind.
        moderate.delay_on_commit(made.pk)
    return JsonResponse(_shown(made), status=202)


@require_http_methods(["GET"])
def comment(_request: HttpRequest, comment_id: int) -> JsonResponse:
    """Show one, whatever its state."""
    found = Comment.objects.filter(pk=comment_id).first()
    return JsonResponse(_shown(found)) if found else JsonResponse({"error": "there is no such comment"}, status=404)


def _shown(one: Comment) -> dict[str, Any]:
    return {"id": one.pk, "author": one.author, "text": one.text, "state": one.state}
