"""Walking a list to its end."""

# A list that never ends is a fault; no list of the seeded fund has this many pages.
MOST = 2_000


def by_after(ask, rows, **filters):
    """A list with `paging.after`: every row, and every page's cursors."""
    found, pages, after = [], [], None
    for _ in range(MOST):
        page = ask(after=after, **filters).result().data
        found.extend(rows(page))
        pages.append(page)
        after = page.paging.after
        if not after:
            return found, pages
    raise AssertionError("the list does not end")


def by_cursor(ask, **filters):
    """A list with `pageCursor` and `next`."""
    found, cursor = [], None
    for _ in range(MOST):
        page = ask(page_cursor=cursor, **filters).result().data
        found.extend(page.data)
        cursor = page.next
        if not cursor:
            return found
    raise AssertionError("the list does not end")
