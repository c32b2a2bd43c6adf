#pragma once
// A control log as JSON, in control.json and in invitations:
//
//   {"format":1,"head":"<commit>","pieces":[["<commit in base64>","<entry in base64>"],...]}

#include "base/json.h"
#include "store/control_log.h"

#include <vector>

namespace dutybook::core {

struct ControlFile {
    store::CommitId head;
    std::vector<store::ControlPiece> pieces;
};
Json control_json(const store::CommitId& head, const std::vector<store::ControlPiece>& pieces);
Result<ControlFile> control_from(const Json& json);  // shape alone
Result<void> write_control(const std::filesystem::path& folder, const Json& control);

}  // namespace dutybook::core
