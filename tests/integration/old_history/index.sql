BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('29b539ebc72a');
CREATE TABLE asset_check_executions (
	id INTEGER NOT NULL, 
	asset_key TEXT, 
	check_name TEXT, 
	partition TEXT, 
	run_id VARCHAR(255), 
	execution_status VARCHAR(255), 
	evaluation_event TEXT, 
	evaluation_event_timestamp DATETIME, 
	evaluation_event_storage_id INTEGER, 
	materialization_event_storage_id INTEGER, 
	create_timestamp DATETIME DEFAULT CURRENT_TIMESTAMP, 
	PRIMARY KEY (id)
);
INSERT INTO "asset_check_executions" VALUES(1,'["derived"]','suite',NULL,'a600da5b-1fc9-415d-a199-a14dd4d6acad','FAILED','{"__class__": "EventLogEntry", "dagster_event": {"__class__": "DagsterEvent", "event_specific_data": {"__class__": "AssetCheckEvaluation", "asset_key": {"__class__": "AssetKey", "path": ["derived"]}, "blocking": false, "check_name": "suite", "description": null, "metadata": {"rules_failed": {"__class__": "IntMetadataEntryData", "value": 1}}, "partition": null, "severity": {"__enum__": "AssetCheckSeverity.WARN"}, "success": false, "target_materialization_data": {"__class__": "AssetCheckEvaluationTargetMaterializationData", "run_id": "a600da5b-1fc9-415d-a199-a14dd4d6acad", "storage_id": 6, "timestamp": 1795992913.6056588}}, "event_type_value": "ASSET_CHECK_EVALUATION", "logging_tags": {"job_name": "nightly", "op_name": "derived_suite", "resource_fn_name": "None", "resource_name": "None", "run_id": "a600da5b-1fc9-415d-a199-a14dd4d6acad", "step_key": "derived_suite"}, "message": "Asset check ''suite'' on ''derived'' did not pass.", "pid": 21413, "pipeline_name": "nightly", "solid_handle": {"__class__": "SolidHandle", "name": "derived_suite", "parent": null}, "step_handle": {"__class__": "StepHandle", "key": "derived_suite", "solid_handle": {"__class__": "SolidHandle", "name": "derived_suite", "parent": null}}, "step_key": "derived_suite", "step_kind_value": "COMPUTE"}, "error_info": null, "level": 10, "message": "", "pipeline_name": "nightly", "run_id": "a600da5b-1fc9-415d-a199-a14dd4d6acad", "step_key": "derived_suite", "timestamp": 1795992913.6513686, "user_message": "Asset check ''suite'' on ''derived'' did not pass."}','2026-11-29 22:55:13.651369',7,6,'2026-11-29 22:55:13');
CREATE TABLE asset_event_tags (
	id INTEGER NOT NULL, 
	event_id INTEGER, 
	asset_key TEXT NOT NULL, 
	"key" TEXT NOT NULL, 
	value TEXT, 
	event_timestamp TIMESTAMP, 
	PRIMARY KEY (id)
);
INSERT INTO "asset_event_tags" VALUES(1,5,'["source"]','dagster/data_version','ddc2061c4bdf10955dcaa58cec0e523534d29c7f5fc9f9b79a748ac60f55e2ce','2026-11-29 22:55:13.429144');
INSERT INTO "asset_event_tags" VALUES(2,6,'["derived"]','dagster/data_version','99fb73d905a9c2c073719c39f1a1be2887ebac780dc0f0fb87bbd744c11274b6','2026-11-29 22:55:13.605659');
CREATE TABLE asset_keys (
	id INTEGER NOT NULL, 
	asset_key VARCHAR(512), 
	last_materialization TEXT, 
	last_run_id VARCHAR(255), 
	asset_details TEXT, 
	wipe_timestamp TIMESTAMP, 
	last_materialization_timestamp TIMESTAMP, 
	tags TEXT, 
	create_timestamp DATETIME DEFAULT CURRENT_TIMESTAMP, 
	cached_status_data TEXT, 
	PRIMARY KEY (id), 
	UNIQUE (asset_key)
);
INSERT INTO "asset_keys" VALUES(1,'["derived"]','{"__class__": "EventLogRecord", "event_log_entry": {"__class__": "EventLogEntry", "dagster_event": {"__class__": "DagsterEvent", "event_specific_data": {"__class__": "StepMaterializationData", "asset_lineage": [], "materialization": {"__class__": "AssetMaterialization", "asset_key": {"__class__": "AssetKey", "path": ["derived"]}, "description": null, "metadata_entries": [{"__class__": "EventMetadataEntry", "description": null, "entry_data": {"__class__": "IntMetadataEntryData", "value": 3}, "label": "rows"}], "partition": null, "tags": {"dagster/code_version": "a600da5b-1fc9-415d-a199-a14dd4d6acad", "dagster/data_version": "99fb73d905a9c2c073719c39f1a1be2887ebac780dc0f0fb87bbd744c11274b6", "dagster/input_data_version/source": "ddc2061c4bdf10955dcaa58cec0e523534d29c7f5fc9f9b79a748ac60f55e2ce", "dagster/input_event_pointer/source": "5"}}}, "event_type_value": "ASSET_MATERIALIZATION", "logging_tags": {"job_name": "nightly", "op_name": "derived", "resource_fn_name": "None", "resource_name": "None", "run_id": "a600da5b-1fc9-415d-a199-a14dd4d6acad", "step_key": "derived"}, "message": "Materialized value derived.", "pid": 21413, "pipeline_name": "nightly", "solid_handle": {"__class__": "SolidHandle", "name": "derived", "parent": null}, "step_handle": {"__class__": "StepHandle", "key": "derived", "solid_handle": {"__class__": "SolidHandle", "name": "derived", "parent": null}}, "step_key": "derived", "step_kind_value": "COMPUTE"}, "error_info": null, "level": 10, "message": "", "pipeline_name": "nightly", "run_id": "a600da5b-1fc9-415d-a199-a14dd4d6acad", "step_key": "derived", "timestamp": 1795992913.6056588, "user_message": "Materialized value derived."}, "storage_id": 6}','a600da5b-1fc9-415d-a199-a14dd4d6acad',NULL,NULL,'2026-11-29 22:55:13.605659',NULL,'2026-11-29 22:55:13',NULL);
INSERT INTO "asset_keys" VALUES(2,'["source"]','{"__class__": "EventLogRecord", "event_log_entry": {"__class__": "EventLogEntry", "dagster_event": {"__class__": "DagsterEvent", "event_specific_data": {"__class__": "StepMaterializationData", "asset_lineage": [], "materialization": {"__class__": "AssetMaterialization", "asset_key": {"__class__": "AssetKey", "path": ["source"]}, "description": null, "metadata_entries": [], "partition": null, "tags": {"dagster/code_version": "a600da5b-1fc9-415d-a199-a14dd4d6acad", "dagster/data_version": "ddc2061c4bdf10955dcaa58cec0e523534d29c7f5fc9f9b79a748ac60f55e2ce"}}}, "event_type_value": "ASSET_MATERIALIZATION", "logging_tags": {"job_name": "nightly", "op_name": "source", "resource_fn_name": "None", "resource_name": "None", "run_id": "a600da5b-1fc9-415d-a199-a14dd4d6acad", "step_key": "source"}, "message": "Materialized value source.", "pid": 21413, "pipeline_name": "nightly", "solid_handle": {"__class__": "SolidHandle", "name": "source", "parent": null}, "step_handle": {"__class__": "StepHandle", "key": "source", "solid_handle": {"__class__": "SolidHandle", "name": "source", "parent": null}}, "step_key": "source", "step_kind_value": "COMPUTE"}, "error_info": null, "level": 10, "message": "", "pipeline_name": "nightly", "run_id": "a600da5b-1fc9-415d-a199-a14dd4d6acad", "step_key": "source", "timestamp": 1795992913.4291437, "user_message": "Materialized value source."}, "storage_id": 5}','a600da5b-1fc9-415d-a199-a14dd4d6acad',NULL,NULL,'2026-11-29 22:55:13.429144',NULL,'2026-11-29 22:55:13',NULL);
CREATE TABLE concurrency_limits (
	id INTEGER NOT NULL, 
	concurrency_key VARCHAR(512) NOT NULL, 
	"limit" INTEGER NOT NULL, 
	using_default_limit BOOLEAN DEFAULT 0 NOT NULL, 
	update_timestamp DATETIME DEFAULT CURRENT_TIMESTAMP, 
	create_timestamp DATETIME DEFAULT CURRENT_TIMESTAMP, 
	PRIMARY KEY (id), 
	UNIQUE (concurrency_key)
);
CREATE TABLE concurrency_slots (
	id INTEGER NOT NULL, 
	concurrency_key TEXT NOT NULL, 
	run_id TEXT, 
	step_key TEXT, 
	deleted BOOLEAN NOT NULL, 
	create_timestamp DATETIME DEFAULT CURRENT_TIMESTAMP, 
	PRIMARY KEY (id)
);
CREATE TABLE dynamic_partitions (
	id INTEGER NOT NULL, 
	partitions_def_name TEXT NOT NULL, 
	partition TEXT NOT NULL, 
	create_timestamp DATETIME DEFAULT CURRENT_TIMESTAMP, 
	PRIMARY KEY (id)
);
CREATE TABLE event_logs (
	id INTEGER NOT NULL, 
	run_id VARCHAR(255), 
	event TEXT NOT NULL, 
	dagster_event_type TEXT, 
	timestamp TIMESTAMP, 
	step_key TEXT, 
	asset_key TEXT, 
	partition TEXT, 
	PRIMARY KEY (id)
);
INSERT INTO "event_logs" VALUES(1,'a600da5b-1fc9-415d-a199-a14dd4d6acad','{"__class__": "EventLogEntry", "dagster_event": {"__class__": "DagsterEvent", "event_specific_data": {"__class__": "AssetMaterializationPlannedData", "asset_key": {"__class__": "AssetKey", "path": ["derived"]}, "partition": null, "partitions_subset": null}, "event_type_value": "ASSET_MATERIALIZATION_PLANNED", "logging_tags": {}, "message": "nightly intends to materialize asset [\"derived\"]", "pid": null, "pipeline_name": "nightly", "solid_handle": null, "step_handle": null, "step_key": "derived", "step_kind_value": null}, "error_info": null, "level": 10, "message": "", "pipeline_name": "nightly", "run_id": "a600da5b-1fc9-415d-a199-a14dd4d6acad", "step_key": "derived", "timestamp": 1795992912.3762565, "user_message": ""}','ASSET_MATERIALIZATION_PLANNED','2026-11-29 22:55:12.376256','derived','["derived"]',NULL);
INSERT INTO "event_logs" VALUES(2,'a600da5b-1fc9-415d-a199-a14dd4d6acad','{"__class__": "EventLogEntry", "dagster_event": {"__class__": "DagsterEvent", "event_specific_data": {"__class__": "AssetMaterializationPlannedData", "asset_key": {"__class__": "AssetKey", "path": ["source"]}, "partition": null, "partitions_subset": null}, "event_type_value": "ASSET_MATERIALIZATION_PLANNED", "logging_tags": {}, "message": "nightly intends to materialize asset [\"source\"]", "pid": null, "pipeline_name": "nightly", "solid_handle": null, "step_handle": null, "step_key": "source", "step_kind_value": null}, "error_info": null, "level": 10, "message": "", "pipeline_name": "nightly", "run_id": "a600da5b-1fc9-415d-a199-a14dd4d6acad", "step_key": "source", "timestamp": 1795992912.3763156, "user_message": ""}','ASSET_MATERIALIZATION_PLANNED','2026-11-29 22:55:12.376316','source','["source"]',NULL);
INSERT INTO "event_logs" VALUES(3,'a600da5b-1fc9-415d-a199-a14dd4d6acad','{"__class__": "EventLogEntry", "dagster_event": {"__class__": "DagsterEvent", "event_specific_data": {"__class__": "AssetCheckEvaluationPlanned", "asset_key": {"__class__": "AssetKey", "path": ["derived"]}, "check_name": "suite", "partitions_subset": null}, "event_type_value": "ASSET_CHECK_EVALUATION_PLANNED", "logging_tags": {}, "message": "nightly intends to execute asset check suite on asset [\"derived\"]", "pid": null, "pipeline_name": "nightly", "solid_handle": null, "step_handle": null, "step_key": "derived_suite", "step_kind_value": null}, "error_info": null, "level": 10, "message": "", "pipeline_name": "nightly", "run_id": "a600da5b-1fc9-415d-a199-a14dd4d6acad", "step_key": "derived_suite", "timestamp": 1795992912.3763351, "user_message": ""}','ASSET_CHECK_EVALUATION_PLANNED','2026-11-29 22:55:12.376335','derived_suite',NULL,NULL);
INSERT INTO "event_logs" VALUES(4,'a600da5b-1fc9-415d-a199-a14dd4d6acad','{"__class__": "EventLogEntry", "dagster_event": {"__class__": "DagsterEvent", "event_specific_data": null, "event_type_value": "PIPELINE_START", "logging_tags": {}, "message": "Started execution of run for \"nightly\".", "pid": 21413, "pipeline_name": "nightly", "solid_handle": null, "step_handle": null, "step_key": null, "step_kind_value": null}, "error_info": null, "level": 10, "message": "", "pipeline_name": "nightly", "run_id": "a600da5b-1fc9-415d-a199-a14dd4d6acad", "step_key": null, "timestamp": 1795992913.1221163, "user_message": "Started execution of run for \"nightly\"."}','PIPELINE_START','2026-11-29 22:55:13.122116',NULL,NULL,NULL);
INSERT INTO "event_logs" VALUES(5,'a600da5b-1fc9-415d-a199-a14dd4d6acad','{"__class__": "EventLogEntry", "dagster_event": {"__class__": "DagsterEvent", "event_specific_data": {"__class__": "StepMaterializationData", "asset_lineage": [], "materialization": {"__class__": "AssetMaterialization", "asset_key": {"__class__": "AssetKey", "path": ["source"]}, "description": null, "metadata_entries": [], "partition": null, "tags": {"dagster/code_version": "a600da5b-1fc9-415d-a199-a14dd4d6acad", "dagster/data_version": "ddc2061c4bdf10955dcaa58cec0e523534d29c7f5fc9f9b79a748ac60f55e2ce"}}}, "event_type_value": "ASSET_MATERIALIZATION", "logging_tags": {"job_name": "nightly", "op_name": "source", "resource_fn_name": "None", "resource_name": "None", "run_id": "a600da5b-1fc9-415d-a199-a14dd4d6acad", "step_key": "source"}, "message": "Materialized value source.", "pid": 21413, "pipeline_name": "nightly", "solid_handle": {"__class__": "SolidHandle", "name": "source", "parent": null}, "step_handle": {"__class__": "StepHandle", "key": "source", "solid_handle": {"__class__": "SolidHandle", "name": "source", "parent": null}}, "step_key": "source", "step_kind_value": "COMPUTE"}, "error_info": null, "level": 10, "message": "", "pipeline_name": "nightly", "run_id": "a600da5b-1fc9-415d-a199-a14dd4d6acad", "step_key": "source", "timestamp": 1795992913.4291437, "user_message": "Materialized value source."}','ASSET_MATERIALIZATION','2026-11-29 22:55:13.429144','source','["source"]',NULL);
INSERT INTO "event_logs" VALUES(6,'a600da5b-1fc9-415d-a199-a14dd4d6acad','{"__class__": "EventLogEntry", "dagster_event": {"__class__": "DagsterEvent", "event_specific_data": {"__class__": "StepMaterializationData", "asset_lineage": [], "materialization": {"__class__": "AssetMaterialization", "asset_key": {"__class__": "AssetKey", "path": ["derived"]}, "description": null, "metadata_entries": [{"__class__": "EventMetadataEntry", "description": null, "entry_data": {"__class__": "IntMetadataEntryData", "value": 3}, "label": "rows"}], "partition": null, "tags": {"dagster/code_version": "a600da5b-1fc9-415d-a199-a14dd4d6acad", "dagster/data_version": "99fb73d905a9c2c073719c39f1a1be2887ebac780dc0f0fb87bbd744c11274b6", "dagster/input_data_version/source": "ddc2061c4bdf10955dcaa58cec0e523534d29c7f5fc9f9b79a748ac60f55e2ce", "dagster/input_event_pointer/source": "5"}}}, "event_type_value": "ASSET_MATERIALIZATION", "logging_tags": {"job_name": "nightly", "op_name": "derived", "resource_fn_name": "None", "resource_name": "None", "run_id": "a600da5b-1fc9-415d-a199-a14dd4d6acad", "step_key": "derived"}, "message": "Materialized value derived.", "pid": 21413, "pipeline_name": "nightly", "solid_handle": {"__class__": "SolidHandle", "name": "derived", "parent": null}, "step_handle": {"__class__": "StepHandle", "key": "derived", "solid_handle": {"__class__": "SolidHandle", "name": "derived", "parent": null}}, "step_key": "derived", "step_kind_value": "COMPUTE"}, "error_info": null, "level": 10, "message": "", "pipeline_name": "nightly", "run_id": "a600da5b-1fc9-415d-a199-a14dd4d6acad", "step_key": "derived", "timestamp": 1795992913.6056588, "user_message": "Materialized value derived."}','ASSET_MATERIALIZATION','2026-11-29 22:55:13.605659','derived','["derived"]',NULL);
INSERT INTO "event_logs" VALUES(7,'a600da5b-1fc9-415d-a199-a14dd4d6acad','{"__class__": "EventLogEntry", "dagster_event": {"__class__": "DagsterEvent", "event_specific_data": {"__class__": "AssetCheckEvaluation", "asset_key": {"__class__": "AssetKey", "path": ["derived"]}, "blocking": false, "check_name": "suite", "description": null, "metadata": {"rules_failed": {"__class__": "IntMetadataEntryData", "value": 1}}, "partition": null, "severity": {"__enum__": "AssetCheckSeverity.WARN"}, "success": false, "target_materialization_data": {"__class__": "AssetCheckEvaluationTargetMaterializationData", "run_id": "a600da5b-1fc9-415d-a199-a14dd4d6acad", "storage_id": 6, "timestamp": 1795992913.6056588}}, "event_type_value": "ASSET_CHECK_EVALUATION", "logging_tags": {"job_name": "nightly", "op_name": "derived_suite", "resource_fn_name": "None", "resource_name": "None", "run_id": "a600da5b-1fc9-415d-a199-a14dd4d6acad", "step_key": "derived_suite"}, "message": "Asset check ''suite'' on ''derived'' did not pass.", "pid": 21413, "pipeline_name": "nightly", "solid_handle": {"__class__": "SolidHandle", "name": "derived_suite", "parent": null}, "step_handle": {"__class__": "StepHandle", "key": "derived_suite", "solid_handle": {"__class__": "SolidHandle", "name": "derived_suite", "parent": null}}, "step_key": "derived_suite", "step_kind_value": "COMPUTE"}, "error_info": null, "level": 10, "message": "", "pipeline_name": "nightly", "run_id": "a600da5b-1fc9-415d-a199-a14dd4d6acad", "step_key": "derived_suite", "timestamp": 1795992913.6513686, "user_message": "Asset check ''suite'' on ''derived'' did not pass."}','ASSET_CHECK_EVALUATION','2026-11-29 22:55:13.651369','derived_suite',NULL,NULL);
INSERT INTO "event_logs" VALUES(8,'a600da5b-1fc9-415d-a199-a14dd4d6acad','{"__class__": "EventLogEntry", "dagster_event": {"__class__": "DagsterEvent", "event_specific_data": null, "event_type_value": "PIPELINE_SUCCESS", "logging_tags": {}, "message": "Finished execution of run for \"nightly\".", "pid": 21413, "pipeline_name": "nightly", "solid_handle": null, "step_handle": null, "step_key": null, "step_kind_value": null}, "error_info": null, "level": 10, "message": "", "pipeline_name": "nightly", "run_id": "a600da5b-1fc9-415d-a199-a14dd4d6acad", "step_key": null, "timestamp": 1795992913.8640249, "user_message": "Finished execution of run for \"nightly\"."}','PIPELINE_SUCCESS','2026-11-29 22:55:13.864025',NULL,NULL,NULL);
CREATE TABLE pending_steps (
	id INTEGER NOT NULL, 
	concurrency_key TEXT NOT NULL, 
	run_id TEXT, 
	step_key TEXT, 
	priority INTEGER, 
	assigned_timestamp DATETIME, 
	create_timestamp DATETIME DEFAULT CURRENT_TIMESTAMP, 
	PRIMARY KEY (id)
);
CREATE TABLE secondary_indexes (
	id INTEGER NOT NULL, 
	name VARCHAR(512), 
	create_timestamp DATETIME DEFAULT CURRENT_TIMESTAMP, 
	migration_completed DATETIME, 
	PRIMARY KEY (id), 
	UNIQUE (name)
);
INSERT INTO "secondary_indexes" VALUES(1,'asset_key_table','2026-11-29 22:55:10','2026-11-29 22:55:10.141947');
INSERT INTO "secondary_indexes" VALUES(2,'asset_key_index_columns','2026-11-29 22:55:10','2026-11-29 22:55:10.177131');
CREATE INDEX idx_events_by_asset_partition ON event_logs (asset_key, dagster_event_type, partition, id);
CREATE INDEX idx_events_by_asset ON event_logs (asset_key, dagster_event_type, id);
CREATE INDEX idx_events_by_run_id ON event_logs (run_id, id);
CREATE INDEX idx_event_type ON event_logs (dagster_event_type, id);
CREATE INDEX idx_step_key ON event_logs (step_key);
CREATE INDEX idx_asset_event_tags_event_id ON asset_event_tags (event_id);
CREATE INDEX idx_asset_event_tags ON asset_event_tags (asset_key, "key", value);
CREATE UNIQUE INDEX idx_dynamic_partitions ON dynamic_partitions (partitions_def_name, partition);
CREATE UNIQUE INDEX idx_pending_steps ON pending_steps (concurrency_key, run_id, step_key);
CREATE INDEX idx_asset_check_executions ON asset_check_executions (asset_key, check_name, materialization_event_storage_id, partition);
CREATE UNIQUE INDEX idx_asset_check_executions_unique ON asset_check_executions (asset_key, check_name, run_id, partition);
COMMIT;
