#pragma once
// One space with its stores, opened from its folder.

#include "core/book.h"
#include "core/circle.h"
#include "core/disk_room.h"
#include "core/keyring.h"
#include "store/self_certified.h"

namespace dutybook::core {

// What all spaces of a book share; outlives them.
struct HostedContext {
    Site site;
    const Clock* clock = nullptr;
    const rules::Kinds* kinds = nullptr;
    rules::Evaluator* evaluator = nullptr;
    SpaceService::Listener listener;
    std::function<void(const std::string&)> progress;
    std::shared_ptr<Keyring> ring;
    bool plain_spaces = false;
    store::SelfCertifiedJudge judge;  // of these
    DiskRoom* room = nullptr;
};

// The ways from a space to those above and below it (space_engine.h).
struct Kinship {
    decltype(SpaceParts::read_parent) read_parent;
    decltype(SpaceParts::tell_children) tell_children;
};

struct HostedSpace {
    // Brings the codec. Null in a plain space (BookOptions): there each log's own key alone says
    // who may write it.
    std::unique_ptr<Circle> circle;
    store::ZstdCodec plain;
    std::unique_ptr<store::Journal> journal;
    std::unique_ptr<store::Log> log;
    std::unique_ptr<store::Index> index;
    std::unique_ptr<SpaceService> service;  // last: it ends first

    // A damaged index is deleted and built again; a log that cannot be opened waits
    // (waiting_log.h); a journal that cannot be read is an error, because nothing else holds what
    // is in it.
    static Result<std::unique_ptr<HostedSpace>> open(const HostedContext& context,
                                                     const std::filesystem::path& folder,
                                                     const SpaceRecord& record, Kinship kinship,
                                                     bool moved);
};

}  // namespace dutybook::core
