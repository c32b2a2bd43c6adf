#pragma once
// What listeners are told of a space, made from the engine's answers on its thread.

#include "core/space_service.h"

#include <map>

namespace dutybook::core {

class SpaceEvents {
public:
    SpaceEvents(SpaceEngine& engine, SpaceService::Listener listener)
        : engine_(engine), listener_(std::move(listener)) {}

    // Made before the answer is handed over, told after it.
    std::vector<Change> of(const std::vector<Result<Written>>& results) const;
    void tell(const std::vector<Change>& changes) const;
    void folded();
    void alarms();

private:
    void add_record(const store::StoredRecord& record, std::vector<Change>& out) const;
    Change change(const std::string& type, const std::string& id, const Json& payload) const;

    SpaceEngine& engine_;
    SpaceService::Listener listener_;
    std::uint64_t alarms_version_ = 0;
    std::map<std::string, std::string> alarms_;  // id -> payload as told
};

}  // namespace dutybook::core
