// The circle's files, its fold, and the judge.

#include "core/circle.h"

#include "core/invited.h"
#include "core/space_keys.h"

#include "base/crypto.h"
#include "base/file.h"
#include "base/kept_file.h"
#include "base/log.h"

#include <algorithm>

namespace dutybook::core {

namespace {

constexpr std::size_t largest_file = 64u << 20;

Result<Json> read_format_1(const fs::path& path) {
    TRY_ASSIGN(const std::string text, read_file(path, largest_file));
    auto json = parse_json(text, {8, largest_file});
    if (!json || !json->is_object() || json->value("format", Json()) != 1) {
        return failure(Code::Corrupt, path.string() + " cannot be used",
                       json ? "it has another format" : json.error().text(),
                       "restore it from a backup of the store");
    }
    return json;
}

}  // namespace

Circle::Circle(Parts parts, domain::EpochKeys keys)
    : parts_(std::move(parts)), codec_(keys), keys_(std::move(keys)) {}

Result<std::unique_ptr<Circle>> Circle::open(Parts parts) {
    crypto_start();
    TRY_ASSIGN(auto keys, read_space_keys(parts.folder));
    std::unique_ptr<Circle> circle(new Circle(std::move(parts), std::move(keys)));
    TRY(circle->load_files());
    return circle;
}

Result<void> Circle::load_files() {
    if (fs::exists(parts_.folder / "invite.json")) {
        TRY_ASSIGN(const Json invite, read_format_1(parts_.folder / "invite.json"));
        TRY_ASSIGN(const InviteSeeds seeds, read_invite_seeds(invite));
        invite_box_.emplace(seeds.box);
        const SigningKey key(seeds.sign);
        const auto first = parts_.ring->first();
        domain::Introduction own{
            parts_.site.id, first->sign, first->box.public_key(), key.public_key(), {}, {}, {}};
        own.proof = view(key.sign(domain::introduction_text(parts_.space.id, own)));
        introductions_.insert(own);
    }
    if (fs::exists(parts_.folder / "introductions.json")) {
        // Damaged: they are found again in the logs.
        const auto file = read_format_1(parts_.folder / "introductions.json");
        if (!file) log_warning("core", file.error().text());
        introductions_whole_ = file.has_value();
        const Json list = file ? file->value("introductions", Json::array()) : Json::array();
        for (const Json& one : list) {
            const auto read = domain::read_introduction(canonical(one));
            if (read) introductions_.insert(*read);
        }
    }
    return {};
}

Result<store::ControlLog*> Circle::control() const {
    store::ControlLog* control = log_ != nullptr ? log_->control() : nullptr;
    if (control != nullptr) return control;
    return failure(Code::Unavailable, "the log of space " + parts_.space.name + " is not open", {},
                   "run verify, then repair");
}

Result<domain::Membership> Circle::look() const {
    TRY_ASSIGN(const std::string text, read_file(parts_.folder / "control.json", largest_file));
    TRY_ASSIGN(const Json json, parse_json(text, {8, largest_file}));
    TRY_ASSIGN(const ControlFile file, control_from(json));
    std::vector<domain::SignedEntry> entries;
    for (const auto& piece : file.pieces) {
        TRY_ASSIGN(auto entry, store::check_piece(piece, parts_.space.id));
        entries.push_back(std::move(entry));
    }
    auto keys = keys_;
    return fold(entries, keys);
}

Result<void> Circle::attach(store::Log& log) {
    const std::lock_guard acting(acting_);
    log_ = &log;
    const auto held = reload();
    // What log.git lacks the file has: after a join, or when log.git was damaged or lost.
    const auto path = parts_.folder / "control.json";
    const auto text = fs::exists(path) ? read_file(path, largest_file)
                                       : Result<std::string>(failure(Code::NotFound, "no file"));
    const auto json = text ? parse_json(*text, {8, largest_file}) : Result<Json>(text.error());
    const auto file = json ? control_from(*json) : Result<ControlFile>(json.error());
    if (file && !file->head.empty() && (!held || !holds(file->head))) {
        store::CommitId members_head;
        {
            const std::lock_guard lock(mutex_);
            std::vector<domain::SignedEntry> entries = held_.entries;
            for (const auto& piece : file->pieces) {
                TRY_ASSIGN(auto entry, store::check_piece(piece, parts_.space.id));
                entries.push_back(std::move(entry));
            }
            auto keys = keys_;
            TRY_ASSIGN(const domain::Membership members, fold(entries, keys));
            members_head = members.head;
        }
        TRY_ASSIGN(store::ControlLog * control_log, control());
        TRY(control_log->put(file->pieces, members_head));
        TRY(reload());
    } else if (!held) {
        log_error("core", "the control log cannot be read",
                  {{"space", parts_.space.name}, {"error", held.error().text()}});
    }
    if (membership() && (!file || file->head != head())) TRY(save_control());
    return find_introductions();
}

// Reads the log's control anew and folds it.
Result<void> Circle::reload() {
    TRY_ASSIGN(store::ControlLog * control_log, control());
    TRY_ASSIGN(auto held, control_log->entries());
    const std::lock_guard lock(mutex_);
    held_ = std::move(held);
    return held_.head.empty() ? Result<void>{} : refold();
}

Result<domain::Membership> Circle::fold(const std::vector<domain::SignedEntry>& entries,
                                        domain::EpochKeys& keys) const {
    const auto ours = boxes();
    const auto key = [&](const domain::ControlEntry& entry) -> const Secret* {
        // The founding entry's signer is known only once it is open: it brings no key to those
        // who have one.
        if (entry.number > 0 || keys.empty()) domain::collect_epoch_keys(entry, ours, keys);
        const auto found = keys.find(entry.epoch);
        return found == keys.end() ? nullptr : &found->second;
    };
    for (;;) {  // until nothing more opens
        const std::size_t known = keys.size();
        auto members = domain::fold_membership(parts_.space.id, entries, introductions_, key);
        if (!members || keys.size() == known) return members;
    }
}

Result<void> Circle::refold() {
    auto keys = keys_;
    TRY_ASSIGN(domain::Membership members, fold(held_.entries, keys));
    if (keys.size() != keys_.size()) TRY(write_space_keys(parts_.folder, keys));
    keys_ = std::move(keys);
    codec_.learn(keys_, members.epoch);
    membership_ = std::make_shared<const domain::Membership>(std::move(members));
    return {};
}

// Of writers that nobody knows: a crash came between taking over their log and noting them. Of
// everybody if the file was lost: sites may have announced new keys.
Result<void> Circle::find_introductions() {
    const auto members = membership();
    if (!members) return {};
    const auto volumes = log_->volumes();
    if (!volumes) return {};
    for (const auto& volume : *volumes) {
        if (volume.name.number != 1) continue;
        const bool known = members->find(domain::site_of(volume.name.writer)) != nullptr;
        if (known && introductions_whole_) continue;
        const auto chain = log_->chain(volume.name, {});
        if (!chain || chain->empty()) continue;
        const auto first = log_->read(chain->front());
        const std::lock_guard lock(mutex_);
        if (first && !first->header.introduction.empty()) introduce(first->header);
    }
    return {};
}

Result<void> Circle::save_control() const {
    const std::lock_guard lock(mutex_);
    return write_control(parts_.folder, control_json(held_.head, held_.pieces));
}

Result<void> Circle::save_introductions() const {
    Json list = Json::array();
    for (const auto& one : introductions_) {
        TRY_ASSIGN(Json json, parse_json(domain::write_introduction(one)));
        list.push_back(std::move(json));
    }
    return write_kept(parts_.folder / "introductions.json",
                      canonical({{"format", 1}, {"introductions", std::move(list)}}) + "\n");
}

// Counts what a site says of itself if it proves an invite of the control log.
void Circle::introduce(const store::SegmentHeader& header) const {
    const auto one = domain::read_introduction(header.introduction);
    if (!one || one->site != domain::site_of(header.writer) || introductions_.contains(*one)) {
        return;
    }
    const auto vouches = [&](const auto& each) {
        const domain::Member& member = each.second;
        if (!one->replaces()) return member.invite == one->by;
        const auto known = [&](const auto& key) { return key.sign == one->by; };
        return member.site == one->site && (std::ranges::any_of(member.keys, known) ||
                                            std::ranges::any_of(member.announced, known));
    };
    if (std::ranges::none_of(membership_->sites, vouches) ||
        !signature_holds(one->by, domain::introduction_text(parts_.space.id, *one), one->proof)) {
        return;
    }
    introductions_.insert(*one);
    auto* self = const_cast<Circle*>(this);
    const auto folded = self->refold();
    const auto saved = folded ? save_introductions() : folded;
    if (!saved) log_error("core", "a member is not noted", {{"error", saved.error().text()}});
}

Result<void> Circle::judge(const store::SegmentHeader& header, std::string_view commit_bytes,
                           std::string_view signature, const store::CommitId& id) const {
    const std::lock_guard lock(mutex_);
    const std::string site(domain::site_of(header.writer));
    const std::string ref = store::VolumeName{header.writer, header.volume}.ref();
    const auto forbidden = [&](const std::string& why) {
        return failure(
            Code::Forbidden,
            "commit " + id + " of " + ref + " does not count: it is not by site " + name_of(site),
            why,
            "somebody wrote there who may not: see who can write to the remote, and "
            "have the log removed from it");
    };
    if (!membership_) {
        return failure(Code::Unavailable, "the control log of the space is not here yet",
                       "nobody can tell who may write " + ref, "sync with a remote that has it");
    }
    if (!header.introduction.empty()) introduce(header);
    if (signature.empty()) return forbidden("it is not signed");
    const auto signer = store::signer_of(signature);
    if (!signer) return forbidden("its signature cannot be read");
    if (!store::verify_signature(commit_bytes, signature, *signer)) {
        return forbidden("it was changed after it was signed");
    }
    const auto may = membership_->may_sign(
        {header.writer, header.first, header.last, header.previous, id}, *signer);
    if (!may) {
        Error error = may.error();
        error.what = ref + " of site " + name_of(site) + ", commit " + id + ": " + error.what;
        return error;
    }
    return {};
}

std::shared_ptr<const domain::Membership> Circle::membership() const {
    const std::lock_guard lock(mutex_);
    return membership_;
}

bool Circle::holds_pen() const {
    const std::lock_guard lock(mutex_);
    return membership_ && membership_->pen == parts_.site.id;
}

Result<void> Circle::may_write(bool retired) const {
    const std::lock_guard lock(mutex_);
    const auto* own = membership_ ? membership_->find(parts_.site.id) : nullptr;
    if (own == nullptr) return {};
    if (own->role == domain::Role::Reads) {
        return failure(Code::Forbidden, "this site may only read the space " + parts_.space.name,
                       "it was invited as a reader",
                       "write into another space, or have it invited as a writer");
    }
    if (retired || own->standing == domain::Standing::Retired) {
        return failure(Code::Forbidden, "this site has retired from the space " + parts_.space.name,
                       "nobody would take over what it writes",
                       "join again in a new store, with a new invitation");
    }
    return {};
}

Result<domain::Member> Circle::find(const std::string& words) const {
    const std::lock_guard lock(mutex_);
    if (!membership_) {
        return failure(Code::Unavailable, "the control log of the space is not here yet", {},
                       "sync with a remote that has it");
    }
    TRY_ASSIGN(const domain::Member* found, membership_->find_by_person(words));
    return *found;
}

store::CommitId Circle::head() const {
    const std::lock_guard lock(mutex_);
    return held_.head;
}

bool Circle::holds(const store::CommitId& commit) const {
    const std::lock_guard lock(mutex_);
    return std::ranges::any_of(held_.entries,
                               [&](const auto& entry) { return entry.commit == commit; });
}

std::optional<std::uint64_t> Circle::number_of(const store::CommitId& commit) const {
    const std::lock_guard lock(mutex_);
    for (const auto& entry : held_.entries) {
        if (entry.commit == commit) return entry.entry.number;
    }
    return std::nullopt;
}

bool Circle::before_head(const store::CommitId& commit) const {
    const std::lock_guard lock(mutex_);
    std::map<store::CommitId, store::CommitId> previous;
    for (const auto& entry : held_.entries) previous[entry.commit] = entry.entry.previous;
    for (store::CommitId at = held_.head; !at.empty(); at = previous[at]) {
        if (at == commit) return true;
    }
    return false;
}

std::vector<store::CommitId> Circle::lost() const {
    const std::lock_guard lock(mutex_);
    return held_.lost;
}

std::string Circle::name_of(std::string_view site) const {
    const std::lock_guard lock(mutex_);
    const auto* member = membership_ ? membership_->find(site) : nullptr;
    return member == nullptr || member->name.empty()
               ? std::string(site)
               : member->name + " (" + std::string(site) + ")";
}

}  // namespace dutybook::core
