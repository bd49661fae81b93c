-- Shares corrected by what people labelled. Grain: the tables' own; new ones beside each.
-- manifestation_share is the corrected share where estimate_status is 'corrected', plain counting where it is 'uncorrected', and
-- null where it is 'insufficient'. read_share is always plain counting.

alter table report_category add column read_share double;
alter table report_category add column estimate_status varchar default 'uncorrected';
alter table report_category add column labelled_count bigint;            -- labelled manifestations that it rests on, those that labellers differ on left out
alter table report_category add column labelled_positive_count bigint;   -- those of them with the label
alter table report_sentiment add column read_share double;
alter table report_sentiment add column estimate_status varchar default 'uncorrected';
alter table report_sentiment add column labelled_count bigint;
alter table report_sentiment add column labelled_positive_count bigint;
alter table report_category_sentiment add column read_share double;
alter table report_category_sentiment add column estimate_status varchar default 'uncorrected';
alter table report_category_sentiment add column labelled_count bigint;
alter table report_category_sentiment add column labelled_positive_count bigint;
alter table report_category_sentiment add column joint_share double;     -- corrected, of all counted manifestations of the channel
alter table report_category_sentiment add column joint_low double;
alter table report_category_sentiment add column joint_high double;
alter table report_issue add column read_share double;
alter table report_issue add column estimate_status varchar default 'uncorrected';
alter table report_issue add column labelled_count bigint;
alter table report_issue add column labelled_positive_count bigint;
alter table report_rollup add column read_share double;
alter table report_rollup add column estimate_status varchar default 'uncorrected';
alter table report_rollup add column labelled_count bigint;
alter table report_rollup add column labelled_positive_count bigint;

update report_category set read_share = manifestation_share;
update report_sentiment set read_share = manifestation_share;
update report_category_sentiment set read_share = manifestation_share;
update report_issue set read_share = manifestation_share;
update report_rollup set read_share = manifestation_share;

create table report_quality (            -- one row per report, channel and task that people labelled in a sample that the report uses
    report_id           varchar not null,
    channel             varchar not null,
    task                varchar not null,
    labelled_count      bigint not null, -- manifestations with a label that is agreed or settled
    labeller_count      bigint not null, -- labellers, those who settled differences not counted
    twice_count         bigint not null, -- manifestations that two or more labelled
    differing_count     bigint not null, -- those of them on which labellers differ and nobody settled it
    accuracy            double not null, -- share of the counted manifestations that the model read right, estimated from the labelled
    accuracy_low        double not null,
    accuracy_high       double not null,
    macro_f1            double not null, -- unweighted mean over the labels that occur
    macro_f1_low        double not null,
    macro_f1_high       double not null,
    samples             varchar not null -- JSON: the ids of the samples
);
