#pragma once
// A space's control log for tests: entries as an administrator's site would write them.

#include "base/crypto.h"

#include <doctest/doctest.h>
#include "domain/membership.h"

#include <algorithm>
#include <utility>

namespace dutybook::domain::membership_test {

struct SiteKeys {
    SigningKey sign{Secret::random()};
    BoxKey box{Secret::random()};
    std::string id = site_id_of(sign.public_key());
};

// Writes entries as an administrator's site would; a commit id is a hash of the text.
class Space {
public:
    Space() {
        crypto_start();
        ControlAct found = act_of(ControlKind::Found, admin);
        found.recovery_sign = recovery.sign.public_key();
        found.recovery_box = recovery.box.public_key();
        found.salt = std::string(16, 's');
        found.space_name = "north";
        id = space_id_of(admin.sign.public_key(), found.recovery_sign, found.salt);
        keys.emplace(1, Secret::random());
        append(found, admin.sign, 1);
    }

    static ControlAct act_of(ControlKind kind, const SiteKeys& site, const std::string& name = "") {
        ControlAct act;
        act.kind = kind;
        act.site = site.id;
        act.name = name.empty() ? site.id.substr(0, 4) : name;
        act.sign = site.sign.public_key();
        act.box = site.box.public_key();
        return act;
    }

    SignedEntry make(const ControlAct& act, const SigningKey& by, std::uint32_t new_epoch,
                     const std::string& previous, std::uint64_t number) {
        ControlEntry entry;
        entry.space = id;
        entry.number = number;
        entry.previous = previous;
        entry.at = 1000;
        entry.by = by.public_key();
        entry.epoch = new_epoch != 0 ? new_epoch : epoch;
        if (new_epoch != 0) {
            auto readers = number == 0 ? std::vector{recovery.box.public_key(), act.box}
                                       : membership().readers();
            wrap_epoch(entry, new_epoch, keys, readers);
        }
        seal_act(entry, act, keys.at(entry.epoch));
        return {hex(blake2b(write_entry(entry))).substr(0, 40), entry};
    }
    SignedEntry append(const ControlAct& act, const SigningKey& by, std::uint32_t new_epoch = 0) {
        const std::string previous = entries.empty() ? "" : entries.back().commit;
        entries.push_back(make(act, by, new_epoch, previous, entries.size()));
        if (new_epoch != 0) epoch = new_epoch;
        return entries.back();
    }
    SiteKeys invite(const std::string& name, Role role = Role::Writes) {
        SiteKeys invite;
        ControlAct add = act_of(ControlKind::Add, invite, name);
        add.role = role;
        append(add, admin.sign);
        return invite;
    }
    Introduction introduce(const SiteKeys& invite, const SiteKeys& site) {
        Introduction one{site.id,
                         site.sign.public_key(),
                         site.box.public_key(),
                         invite.sign.public_key(),
                         {},
                         {},
                         {}};
        one.proof = view(invite.sign.sign(introduction_text(id, one)));
        introductions.insert(one);
        return one;
    }
    // New keys of a site, vouched for by its old ones.
    Introduction replace(const std::string& site, const SiteKeys& old, const SiteKeys& fresh,
                         const Position& end) {
        Introduction one{site,
                         fresh.sign.public_key(),
                         fresh.box.public_key(),
                         old.sign.public_key(),
                         {},
                         site + "-aaaaaaaa",
                         end};
        one.proof = view(old.sign.sign(introduction_text(id, one)));
        introductions.insert(one);
        return one;
    }
    Membership membership(std::vector<SignedEntry> some) const {
        const auto result =
            fold_membership(id, some, introductions, [&](const ControlEntry& entry) {
                const auto found = keys.find(entry.epoch);
                return found == keys.end() ? nullptr : &found->second;
            });
        REQUIRE_MESSAGE(result.has_value(), (result ? "" : result.error().text()));
        return *result;
    }
    Membership membership() const { return membership(entries); }

    SiteKeys admin, recovery;
    std::string id;
    std::uint32_t epoch = 1;
    EpochKeys keys;
    std::vector<SignedEntry> entries;
    std::set<Introduction> introductions;
};

inline std::string writer_of(const SiteKeys& site) {
    return site.id + "-aaaaaaaa";
}
inline std::string segment(char c) {
    return std::string(40, c);
}
inline bool may(const Membership& members, const SiteKeys& site, const std::string& writer,
                std::uint64_t first, std::uint64_t last, const std::string& id,
                const std::string& previous = {}) {
    return members.may_sign({writer, first, last, previous, id}, site.sign.public_key())
        .has_value();
}

}  // namespace dutybook::domain::membership_test
