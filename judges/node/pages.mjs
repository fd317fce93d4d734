// Lists of the official client, to their ends.

/** Follows `next`, or `paging.next`, to the end. */
export async function byCursor(ask, filters = {}) {
  const found = [];
  let pageCursor;
  for (let page = 0; page < 2000; page += 1) {
    const { data } = await ask({ ...filters, pageCursor });
    found.push(...data.data);
    pageCursor = data.next ?? data.paging?.next;
    if (!pageCursor) return found;
  }
  throw new Error("the list does not end");
}
