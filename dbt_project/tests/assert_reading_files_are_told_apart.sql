-- Readings find their file by its hash: two files of one hash would make two readings of one.
select hash(source_file_id) as source_file_hash
from {{ ref('int_reading_files') }}
group by source_file_hash
having count(*) > 1
