"""Twenty sites, all syncing with one bare remote at once: no retry, and equal after two rounds."""

import threading

from dutybook import duty

SITES, OPERATIONS = 20, 200


def together(sites, act):
    failures = []

    def run(site):
        try:
            act(site)
        except BaseException as failed:  # reported by the test's own thread
            failures.append(failed)

    threads = [threading.Thread(target=run, args=(site,)) for site in sites]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def test_all_at_once(world):
    first = world.site("Site00").start()
    first.client("remote", "add", "hub", world.bare("hub"))
    sites = [first] + [world.invited(first, f"Site{i:02}").start() for i in range(1, SITES)]
    for site in sites:
        site.add_file(duty(f"{site.name} {i}") for i in range(OPERATIONS))

    def sync(site):
        outcome = site.sync(expect=0, timeout=300)
        assert [one["ok"] for one in outcome] == [True], outcome

    together(sites, sync)
    together(sites, sync)
    digests = {site.digest() for site in sites}
    assert len(digests) == 1
    assert {site.status()["records"] for site in sites} == {SITES * OPERATIONS}
    assert all(site.status()["alarms"] == [] for site in sites)
