// What a remote says through git's mouth, and an address that somebody types or an invitation
// brings. The first line of the input is an address, the rest what git prints.

#include "base/printable.h"
#include "fuzz/target.h"
#include "sync/git_errors.h"
#include "sync/git_words.h"

using namespace dutybook;

namespace {

void check_words(std::string_view said, const sync::RemoteUrl& url) {
    for (const auto& [ref, tip] : sync::read_listing(said))
        fuzz::must(store::is_commit_id(tip) && ref.starts_with("refs/heads/"),
                   "a listed ref is a branch at a commit");
    const auto outcome = sync::read_porcelain(said);
    for (const auto& [ref, why] : outcome.reasons)
        fuzz::must(outcome.refs.at(ref) == sync::Pushed::Refused, "what was pushed has no reason");
    (void)sync::written_bytes(said);
    for (const auto step : {sync::Step::List, sync::Step::Fetch, sync::Step::Push}) {
        const Error error = sync::sort_out(said, step, "hub", url);
        fuzz::must(printable(error.why, error.why.size()) == error.why,
                   "people are shown nothing that a terminal obeys");
    }
}

}  // namespace

DUTYBOOK_FUZZ_TARGET(remote) {
    const auto end = std::min(bytes.find('\n'), bytes.size());
    const std::string address(bytes.substr(0, end));
    const auto url = sync::parse_remote_url(address);
    (void)sync::redacted(address);
    if (url) {
        fuzz::must(!url->url.starts_with('-') && url->url.find("::") != 0,
                   "an address is no option of git and no remote helper");
        fuzz::must(!url->user_host.starts_with('-'), "a host is no option of ssh");
        fuzz::must(url->directory.find_first_of(std::string_view("\0\n", 2)) == std::string::npos,
                   "a directory is one line");
    }
    check_words(bytes.substr(end), url ? *url : sync::RemoteUrl{});
}
