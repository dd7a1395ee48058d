"""Every choice that a user can make. Defaults < configuration file < command line.

`stages` holds the choices, one frozen dataclass per stage; `fields` what a field is; `values` what may be written in
one; `options` the way from and to the command line and YAML. To add an option, add a field in `stages`. Nothing in here
touches a disk but `read_config`, so that settings can be sent to another machine.
"""

from anonymizer.settings.conversion import from_options as from_options
from anonymizer.settings.conversion import read_config as read_config
from anonymizer.settings.conversion import settings_from_options as settings_from_options
from anonymizer.settings.conversion import to_options as to_options
from anonymizer.settings.fields import GROUPS as GROUPS
from anonymizer.settings.fields import SettingsPart as SettingsPart
from anonymizer.settings.fields import key_of as key_of
from anonymizer.settings.stages import ALL_SETTINGS as ALL_SETTINGS
from anonymizer.settings.stages import CHECK_SETTINGS as CHECK_SETTINGS
from anonymizer.settings.stages import PLAN_SETTINGS as PLAN_SETTINGS
from anonymizer.settings.stages import SERVE_SETTINGS as SERVE_SETTINGS
from anonymizer.settings.stages import STAGES as STAGES
from anonymizer.settings.stages import CheckSettings as CheckSettings
from anonymizer.settings.stages import ChooseSettings as ChooseSettings
from anonymizer.settings.stages import DetectSettings as DetectSettings
from anonymizer.settings.stages import FindSettings as FindSettings
from anonymizer.settings.stages import PlanSettings as PlanSettings
from anonymizer.settings.stages import ReadSettings as ReadSettings
from anonymizer.settings.stages import RecordSettings as RecordSettings
from anonymizer.settings.stages import RedactSettings as RedactSettings
from anonymizer.settings.stages import ReviewSettings as ReviewSettings
from anonymizer.settings.stages import RunSettings as RunSettings
from anonymizer.settings.stages import ServeSettings as ServeSettings
from anonymizer.settings.stages import Settings as Settings
from anonymizer.settings.stages import VerbositySettings as VerbositySettings
from anonymizer.settings.stages import VideoSettings as VideoSettings
from anonymizer.settings.stages import WriteSettings as WriteSettings
from anonymizer.settings.values import EVERY_NAME as EVERY_NAME
from anonymizer.settings.values import LEAST_ZONE_PX as LEAST_ZONE_PX
from anonymizer.settings.values import MAX_CELLS as MAX_CELLS
from anonymizer.settings.values import METADATA_POLICIES as METADATA_POLICIES
from anonymizer.settings.values import METHODS as METHODS
from anonymizer.settings.values import PRESETS as PRESETS
from anonymizer.settings.values import PROJECTIONS as PROJECTIONS
from anonymizer.settings.values import THRESHOLD_RANGE as THRESHOLD_RANGE
from anonymizer.settings.values import Drawing as Drawing
from anonymizer.settings.values import Kernel as Kernel
from anonymizer.settings.values import MetadataPolicy as MetadataPolicy
from anonymizer.settings.values import Method as Method
from anonymizer.settings.values import NamedZones as NamedZones
from anonymizer.settings.values import Preset as Preset
from anonymizer.settings.values import Projection as Projection
from anonymizer.settings.values import Shard as Shard
from anonymizer.settings.values import Zone as Zone
from anonymizer.settings.values import ZonesLike as ZonesLike
