#pragma once
// What listeners are told of a space, made from the engine's answers on its thread.

#include "core/space_service.h"

#include <map>

namespace dutybook::core {

class SpaceEvents {
public:
    SpaceEvents(SpaceEngine& engine, SpaceService::Listener listener)
        : engine_(engine), listener_(std::move(listener)) {}

    bool listened_to() const { return static_cast<bool>(listener_); }
    void written(const std::vector<Result<Written>>& results);
    void folded();
    void alarms();

private:
    void record(const store::StoredRecord& record);
    void tell(const std::string& type, const std::string& id, const Json& payload);

    SpaceEngine& engine_;
    SpaceService::Listener listener_;
    std::uint64_t alarms_version_ = 0;
    std::map<std::string, std::string> alarms_;  // id -> payload as told
};

}  // namespace dutybook::core
