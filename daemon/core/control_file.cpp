#include "core/control_file.h"

#include "base/crypto.h"
#include "base/kept_file.h"

namespace dutybook::core {

Json control_json(const store::CommitId& head, const std::vector<store::ControlPiece>& pieces) {
    Json list = Json::array();
    for (const auto& piece : pieces) {
        list.push_back({base64(piece.commit_bytes), base64(piece.blob)});
    }
    return {{"format", 1}, {"head", head}, {"pieces", std::move(list)}};
}

Result<ControlFile> control_from(const Json& json) {
    const auto wrong = malformed("the control log is no list of entries", "/control");
    if (!json.is_object() || !json.contains("head") || !json["head"].is_string() ||
        !json.contains("pieces") || !json["pieces"].is_array()) {
        return wrong;
    }
    ControlFile out;
    out.head = json["head"];
    for (const Json& one : json["pieces"]) {
        if (!one.is_array() || one.size() != 2 || !one[0].is_string() || !one[1].is_string()) {
            return wrong;
        }
        store::ControlPiece piece;
        TRY_ASSIGN(piece.commit_bytes, from_base64(one[0].get_ref<const std::string&>()));
        TRY_ASSIGN(piece.blob, from_base64(one[1].get_ref<const std::string&>()));
        out.pieces.push_back(std::move(piece));
    }
    return out;
}

Result<void> write_control(const std::filesystem::path& folder, const Json& control) {
    return write_kept(folder / "control.json", canonical(control) + "\n");
}

}  // namespace dutybook::core
