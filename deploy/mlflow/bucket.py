"""Make the bucket of an s3:// address where there is none: ``bucket.py s3://NAME/FOLDER``."""

import os
import sys
from urllib.parse import urlsplit

import boto3
from botocore.exceptions import ClientError

bucket = urlsplit(sys.argv[1]).netloc
store = boto3.client("s3", endpoint_url=os.environ.get("MLFLOW_S3_ENDPOINT_URL") or None)
try:
    store.head_bucket(Bucket=bucket)
except ClientError as error:
    if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
        raise
    store.create_bucket(Bucket=bucket)
