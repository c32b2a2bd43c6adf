#include "care/doctor_json.h"

namespace dutybook::care {

Json to_json(const Lines& lines) {
    Json items = Json::array();
    for (const Line& line : lines) {
        items.push_back({{"check", line.check},
                         {"level", name_of(line.level)},
                         {"what", line.what},
                         {"fix", line.fix}});
    }
    return {{"items", std::move(items)}, {"next", nullptr}};
}

}  // namespace dutybook::care
