"""A blog's comments: each is looked at by a spam filter that is away at times, and then shown or kept back.

You should see:
    comment 1 is shown
    comment 2 is kept back
"""

from tasks import is_spam, publish

comments = {1: "What a lovely page!", 2: "Buy now, and save!"}
results = [(is_spam.s(text) | publish.s(number)).delay() for number, text in comments.items()]
for result in results:
    print(result.get(timeout=30))
