"""The tasks: `caraway worker -A blog`."""

from caraway import shared_task
from comments.models import Comment
from comments.spam import trained

SPAM_FROM = 0.9


@shared_task(autoretry_for=(OSError,), retry_backoff=True)
def moderate(comment_id: int) -> str:
    """Publish a comment, or mark it as spam. To run it twice does no harm."""
    comment = Comment.objects.get(pk=comment_id)
    comment.spam_probability = trained().probability(comment.text)
    comment.state = Comment.State.SPAM if comment.spam_probability >= SPAM_FROM else Comment.State.PUBLISHED
    comment.save(update_fields=["spam_probability", "state"])
    return comment.state
