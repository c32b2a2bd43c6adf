// An entry of the control log: the first line of the input is the entry as a remote hands it over,
// the second the act inside of one that was sealed with the space's key (a member may lie too).

#include "base/crypto.h"
#include "base/json.h"
#include "base/keys.h"
#include "domain/control.h"
#include "fuzz/target.h"

using namespace dutybook;

namespace {

const Secret& epoch_key() {
    static const Secret key = [] {
        crypto_start();
        return Secret{};
    }();
    return key;
}

void check_entry(std::string_view line) {
    const auto entry = domain::read_entry(line);
    if (!entry) return;
    fuzz::must(domain::write_entry(*entry) == line, "a control entry has one spelling");
    (void)domain::open_act(*entry, epoch_key());
}

// Sealed as seal_act() does it, but with any text for an act.
void check_act(std::string_view act) {
    domain::ControlEntry entry;
    entry.space = "space";
    Json members = Json::parse(domain::write_entry(entry));
    members.erase("body");
    const std::string place = canonical(members);
    const Nonce nonce = nonce_of(epoch_key(), place, act);
    entry.body.assign(reinterpret_cast<const char*>(nonce.data()), nonce.size());
    entry.body += aead_seal(epoch_key(), nonce, place, act);
    const auto opened = domain::open_act(entry, epoch_key());
    if (!opened) {
        fuzz::must(opened.error().code != Code::Corrupt, "the target seals as the product does");
        return;
    }
    domain::seal_act(entry, *opened, epoch_key());
    const auto again = domain::open_act(entry, epoch_key());
    fuzz::must(again && again->kind == opened->kind && again->positions == opened->positions,
               "an act that was sealed opens the same");
}

}  // namespace

DUTYBOOK_FUZZ_TARGET(control) {
    const auto end = bytes.find('\n');
    check_entry(bytes.substr(0, end));
    if (end != std::string_view::npos) check_act(bytes.substr(end + 1));
}
