# Herald as a service of NixOS. docs/herald/operation.md says how it is used.
{ config, lib, pkgs, ... }:
let
  cfg = config.services.herald;
in
{
  options.services.herald = {
    enable = lib.mkEnableOption "Herald, a self-hosted assistant";
    directory = lib.mkOption {
      type = lib.types.str;
      default = "/opt/herald";
      description = "Where `npm run pack:herald` has put it.";
    };
    node = lib.mkOption {
      type = lib.types.package;
      default = pkgs.nodejs_24;
      defaultText = lib.literalExpression "pkgs.nodejs_24";
      description = "Node 22.19 or newer.";
    };
    configFile = lib.mkOption {
      type = lib.types.str;
      default = "/etc/herald/assistant.toml";
      description = "The configuration, which Herald only reads. It may be in the store: keys are in `environmentFile`.";
    };
    environmentFile = lib.mkOption {
      type = lib.types.nullOr lib.types.str;
      default = null;
      example = "/run/secrets/herald";
      description = "Keys, one NAME=value a line, readable by root only.";
    };
    environment = lib.mkOption {
      type = lib.types.attrsOf lib.types.str;
      default = { };
      description = "What else is in its environment.";
    };
    dataDir = lib.mkOption {
      type = lib.types.str;
      default = "/var/lib/herald";
      description = "Where it keeps everything.";
    };
    user = lib.mkOption {
      type = lib.types.str;
      default = "herald";
      description = "Whom it runs as. The default one is made.";
    };
    group = lib.mkOption {
      type = lib.types.str;
      default = "herald";
      description = "The group of that user. The default one is made.";
    };
  };

  config = lib.mkIf cfg.enable {
    users.users = lib.optionalAttrs (cfg.user == "herald") {
      herald = {
        isSystemUser = true;
        group = cfg.group;
        home = cfg.dataDir;
      };
    };
    users.groups = lib.optionalAttrs (cfg.group == "herald") { herald = { }; };
    # Only this user may look into it.
    systemd.tmpfiles.rules = [ "d ${cfg.dataDir} 0700 ${cfg.user} ${cfg.group} -" ];

    systemd.services.herald = {
      description = "Herald, a self-hosted assistant";
      wantedBy = [ "multi-user.target" ];
      wants = [ "network-online.target" ];
      after = [ "network-online.target" ];
      environment = {
        HERALD_DATA_DIR = cfg.dataDir;
        HERALD_KEYCHAIN = "off";
      } // cfg.environment;
      serviceConfig = {
        Type = "exec";
        User = cfg.user;
        Group = cfg.group;
        UMask = "0077";
        WorkingDirectory = cfg.dataDir;
        ExecStart = "${cfg.node}/bin/node ${cfg.directory}/dist/main.js --config ${cfg.configFile}";
        # The configuration is read again; one that is wrong is refused whole.
        ExecReload = "${pkgs.coreutils}/bin/kill -HUP $MAINPID";
        # Running answers have a moment to end.
        TimeoutStopSec = 20;
        Restart = "on-failure";
        RestartSec = 5;

        ReadWritePaths = [ cfg.dataDir ];
        NoNewPrivileges = true;
        ProtectSystem = "strict";
        ProtectHome = true;
        PrivateTmp = true;
        PrivateDevices = true;
        ProtectClock = true;
        ProtectControlGroups = true;
        ProtectHostname = true;
        ProtectKernelLogs = true;
        ProtectKernelModules = true;
        ProtectKernelTunables = true;
        RestrictAddressFamilies = [ "AF_UNIX" "AF_INET" "AF_INET6" "AF_NETLINK" ];
        RestrictRealtime = true;
        RestrictSUIDSGID = true;
        LockPersonality = true;
        SystemCallArchitectures = "native";
        CapabilityBoundingSet = "";
      } // lib.optionalAttrs (cfg.environmentFile != null) { EnvironmentFile = cfg.environmentFile; };
    };
  };
}
